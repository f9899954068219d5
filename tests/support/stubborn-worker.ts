/** A worker that listens and never stops when it is told to. */
import { createServer } from "node:net";

process.on("SIGTERM", () => undefined);
createServer().listen(0, "127.0.0.1");
