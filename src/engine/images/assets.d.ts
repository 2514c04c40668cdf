declare module '*/build/hello' {
  const path: string;
  // biome-ignore lint/style/noDefaultExport: this is how the bundler hands over a file
  export default path;
}
