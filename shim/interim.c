/* Weak stand-ins for net.c, ports.c and log.c while those are being written. */
#include "net.h"
#include "ports.h"
#include "log.h"
#include <stdio.h>
#include <sched.h>
int __attribute__((weak)) net_setup(const struct network_plan *p, struct failure *f){ (void)f; if(p->kind==NETWORK_NEW) return unshare(CLONE_NEWNET); return 0;}
int __attribute__((weak)) ports_hold(const struct network_plan *n, struct ports **p, struct failure *f){(void)n;(void)f;*p=NULL;return 0;}
bool __attribute__((weak)) ports_need_forwarder(const struct ports *p){(void)p;return false;}
_Noreturn void __attribute__((weak)) ports_forward(struct ports *p){(void)p;_exit(0);}
void __attribute__((weak)) ports_release(struct ports *p){(void)p;}
int __attribute__((weak)) log_open(const struct log_plan *p, struct log_sink **s, struct failure *f){(void)p;(void)f;*s=NULL;return 0;}
void __attribute__((weak)) log_write(struct log_sink *s, enum stream st, const char *d, size_t l){(void)s;(void)st;(void)d;(void)l;}
void __attribute__((weak)) log_flush(struct log_sink *s){(void)s;}
int __attribute__((weak)) log_truncate(struct log_sink *s, struct failure *f){(void)s;(void)f;return 0;}
void __attribute__((weak)) log_close(struct log_sink *s){(void)s;}
