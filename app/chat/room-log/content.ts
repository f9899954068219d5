import { hash } from "node:crypto";

/**
 * What a key stands for, as it is kept beside it: 64 bits of a hash, since the text itself may be edited. The key is hashed with
 * it, so that two rows of the same words do not look alike. As text, as PostgreSQL's driver takes a bigint.
 */
export function contentOf(clientKey: string, body: string): string {
	return hash("sha256", `${clientKey} ${body}`, "buffer").readBigInt64BE().toString();
}
