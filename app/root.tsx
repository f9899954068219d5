import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import {
	isRouteErrorResponse,
	Links,
	Meta,
	Outlet,
	Scripts,
	ScrollRestoration,
	useLoaderData,
	useRouteError,
	useRouteLoaderData,
} from "@remix-run/react";
import { type ReactNode, useContext } from "react";
import { ErrorPage } from "./components/error-page.tsx";
import { Nonce, PageAgent } from "./nonce.tsx";
import type { KeptForm } from "./routes/answers.server.ts";
import { preferencesOf } from "./routes/preferences.server.ts";
import styles from "./styles/app.css?url";
import { wordsFor } from "./words/index.server.ts";
import { WordsProvider } from "./words/use-words.tsx";

export const links: LinksFunction = () => [
	{ rel: "stylesheet", href: styles },
	{ rel: "icon", href: "/favicon.svg", type: "image/svg+xml" },
	{ rel: "apple-touch-icon", href: "/apple-touch-icon.png" },
	{ rel: "manifest", href: "/manifest.webmanifest" },
];

export const meta: MetaFunction = () => [{ title: "Charla" }, { name: "robots", content: "noindex" }];

export async function loader({ request, context }: LoaderFunctionArgs) {
	const preferences = preferencesOf(request);
	const { on, sampleRatio, traceparent } = context.telemetry ?? { on: false, sampleRatio: 0, traceparent: null };
	// The page around every other, those that say what is wrong too: it needs nobody to be looked up.
	const isIn = on && (await context.session().catch(() => null)) !== null;
	const measured = on ? { ratio: sampleRatio, in: isIn, build: context.buildId } : null;
	return { ...preferences, words: wordsFor(preferences.language), build: context.buildId, measured, traceparent: on ? traceparent : null };
}

/** Preferences come with the first page and change by a form that loads it again. */
export function shouldRevalidate({ formAction }: { formAction?: string }) {
	return formAction === "/preferences";
}

export function Layout({ children }: { children: ReactNode }) {
	const nonce = useContext(Nonce);
	const agent = useContext(PageAgent);
	const root = useRouteLoaderData<typeof loader>("root");
	return (
		<html lang={root?.language ?? "en"} data-theme={root?.theme ?? undefined}>
			<head>
				<meta charSet="utf-8" />
				<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
				<meta name="color-scheme" content={root?.theme === "dark" ? "dark" : root?.theme === "light" ? "light" : "light dark"} />
				{root?.measured && <meta name="telemetry" content={JSON.stringify(root.measured)} />}
				{root?.traceparent && <meta name="traceparent" content={root.traceparent} />}
				<Meta />
				<Links />
				{/* Last: the browser knows nothing of it, and what stands behind all it knows React leaves alone. */}
				{/* biome-ignore lint/security/noDangerouslySetInnerHtml: a script of the server's, which has put out what would end it. */}
				{agent && <script nonce={nonce} dangerouslySetInnerHTML={{ __html: agent }} />}
			</head>
			<body>
				{children}
				<ScrollRestoration nonce={nonce} />
				<Scripts nonce={nonce} />
			</body>
		</html>
	);
}

export default function Root() {
	const { language, words, timeZone } = useLoaderData<typeof loader>();
	return (
		<WordsProvider language={language} words={words} timeZone={timeZone}>
			<Outlet />
		</WordsProvider>
	);
}

export function ErrorBoundary() {
	const error = useRouteError();
	const root = useRouteLoaderData<typeof loader>("root");
	const status = isRouteErrorResponse(error) ? error.status : 500;
	const reference = isRouteErrorResponse(error) && typeof error.data?.reference === "string" ? error.data.reference : "";
	// Where a form could not be taken, nothing was loaded: its answer brings what is needed.
	const kept = isRouteErrorResponse(error) ? (error.data?.kept as KeptForm | undefined) : undefined;
	return (
		<ErrorPage
			status={status}
			reference={reference}
			language={(isRouteErrorResponse(error) && error.data?.language) || (root?.language ?? "en")}
			kept={kept}
		/>
	);
}
