import { RemixBrowser } from "@remix-run/react";
import { StrictMode, startTransition } from "react";
import { hydrateRoot } from "react-dom/client";
import { startRecording } from "../observability/browser/start.ts";
import { trustScripts } from "./components/trusted-scripts.ts";
import { recordWith } from "./live/recording.ts";

trustScripts([]);

const recorder = startRecording();
if (recorder) recordWith(recorder);

/**
 * RemixBrowser throws the promise of its data before its first hook. A key or click while React waits for that would end in error 345
 * and a dead page, so there is no root before it is here.
 */
async function pageData(): Promise<void> {
	try {
		RemixBrowser({});
	} catch (promise) {
		await promise;
	}
}

void pageData().then(() =>
	startTransition(() => {
		hydrateRoot(
			document,
			<StrictMode>
				<RemixBrowser />
			</StrictMode>,
		);
	}),
);
