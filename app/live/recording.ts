import type { Recorder } from "./ports.ts";

let present: Recorder | undefined;

/** Hands the page its recorder, before anything of it is made. On the server there is none. */
export function recordWith(recorder: Recorder): void {
	present = recorder;
}

/** The recorder of this page, if it has one. */
export const recorderOfPage = (): Recorder | undefined => present;
