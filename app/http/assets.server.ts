import path from "node:path";
import express, { type NextFunction, type Request, type Response } from "express";

/** Content codings there are assets in, best first: folders that scripts/compress-assets.ts makes. */
const codings = ["br", "gzip"];

/** Serves what was built below `build`: hashed files for ever, and compressed for whoever takes that; the rest for an hour. */
export function builtAssets(build: string): express.Handler[] {
	const client = path.join(build, "client");
	const hashed = express.Router();
	hashed.use("/assets", hashedFiles(build, path.join(client, "assets")));
	return [hashed, express.static(client, { maxAge: "1h", index: false }) as express.Handler];
}

/**
 * The same file in several codings is found in several folders under one name: so each has its own type, size, ETag and ranges, and what
 * is missing in one is looked for in the next, at last as it is.
 */
function hashedFiles(build: string, plain: string): express.Router {
	const router = express.Router();
	const forEver = { immutable: true, maxAge: "1y" };
	router.use((_request, response, next) => {
		// Also for who gets the plain file: a cache on the way must not give it to everybody.
		response.vary("Accept-Encoding");
		next();
	});
	for (const coding of codings) {
		const setHeaders = (response: Response) => void response.setHeader("Content-Encoding", coding);
		const files = express.static(path.join(build, "compressed", coding), { ...forEver, setHeaders });
		router.use((request, response, next) => (request.acceptsEncodings(coding) ? files(request, response, next) : next()));
	}
	router.use(express.static(plain, forEver), refused);
	return router;
}

/** A range beyond the file's end, or a condition that does not hold: by then the answer had the headers of the file. */
function refused(
	error: { status?: number; message: string; headers?: Record<string, string> },
	_: Request,
	response: Response,
	next: NextFunction,
) {
	if (response.headersSent || !error.status || error.status >= 500) return next(error);
	for (const name of ["Content-Encoding", "ETag", "Last-Modified"]) response.removeHeader(name);
	response
		.status(error.status)
		.set({ ...error.headers, "Cache-Control": "no-store" })
		.type("text")
		.send(`${error.message}\n`);
}
