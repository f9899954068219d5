/** `node deploy/is-ready.ts`: ends with 0 when the server on this machine takes people, else with 1. Asks once. */
const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/readyz`;
const ready = await fetch(url, { signal: AbortSignal.timeout(3000) }).then(
	(answer) => answer.ok,
	() => false,
);
process.exit(ready ? 0 : 1);

export {};
