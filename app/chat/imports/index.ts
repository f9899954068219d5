export { type Imports, openImports } from "./desk.ts";
export type { Catalogue, ImportCore, ImportFiles, ImportPorts } from "./ports.ts";
export { fileFaultWords, importWords, rejectedWords } from "./words.ts";
