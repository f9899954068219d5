import type { FileFault } from "../../app/contract/imports.ts";

/** The whole file is no good, and from where on. Says nothing of what is in it. */
export class BadFile extends Error {
	fault: FileFault;
	line: number | null;
	constructor(fault: FileFault, line: number | null = null) {
		super(line === null ? fault : `${fault} at line ${line}`);
		this.name = "BadFile";
		this.fault = fault;
		this.line = line;
	}
}
