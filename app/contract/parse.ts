import * as v from "valibot";
import { type CallInput, type CallName, calls, type FormInput, type FormName, forms } from "./calls.ts";
import { limits } from "./limits.ts";
import { type RefusalCode, refusals, refuse } from "./refusals.ts";

function read<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
	const result = v.safeParse(schema, input);
	if (result.success) return result.output;
	const message = result.issues[0].message;
	const code = (Object.hasOwn(refusals, message) ? message : "malformed") as RefusalCode;
	const field = v.getDotPath(result.issues[0]) ?? "";
	// A person's name and a room's are one field with two limits.
	const limit = code === "name-too-long" ? limits.name : { body: limits.body, topic: limits.topic, name: limits.roomName }[field];
	throw refuse(code, { field, ...(limit ? { limit } : {}) });
}

/** Input of a socket call, checked and cleaned. Throws a refusal naming the field. */
export function parseCall<N extends CallName>(name: N, input: unknown): CallInput<N> {
	return read(calls[name], input) as CallInput<N>;
}

/** Input of a form, checked and cleaned. Throws a refusal naming the field. */
export function parseForm<N extends FormName>(name: N, input: FormData | Record<string, unknown>): FormInput<N> {
	return read(forms[name], input instanceof FormData ? Object.fromEntries(input) : input) as FormInput<N>;
}
