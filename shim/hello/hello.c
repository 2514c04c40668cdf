/*
 * The one program of the built-in hello-world image: says that everything on the way to it worked. Static, without input,
 * without files; build/hello is put into the executable by scripts/build-shim.
 */
#include <unistd.h>

static const char text[] =
    "\n"
    "Hello from Berth!\n"
    "If you can read this, your installation appears to be working.\n"
    "\n"
    "What happened on the way to this line:\n"
    " 1. The berth command asked the engine for a container of the image \"hello-world\".\n"
    " 2. The engine found no registry that it could reach, and took the image that it carries itself.\n"
    " 3. It made a container: a root file system, namespaces, a cgroup, a network of its own.\n"
    " 4. The container ran this program, and its output came back through the engine to you.\n"
    "\n"
    "Without a registry, make a Debian image from your own machine's packages and look around in it:\n"
    "    berth image bootstrap debian\n"
    "    berth run -it debian bash\n"
    "\n";

int main(void)
{
    size_t done = 0;
    while (done < sizeof text - 1) {
        ssize_t n = write(STDOUT_FILENO, text + done, sizeof text - 1 - done);
        if (n < 0) return 1;
        done += (size_t)n;
    }
    return 0;
}
