import { createContext } from "react";

/**
 * The nonce of this answer, for the scripts Remix writes into the page. By React context and never by a loader: what a
 * loader returns is sent to the browser, and a later request would bring another nonce.
 */
export const Nonce = createContext<string | undefined>(undefined);

/** What brings the place a room opens at into sight (components/opening.ts), as a script; known to the server alone. */
export const OpeningScript = createContext("");

/** New Relic's agent for browsers as a script, where an installation wants it; known to the server alone, as the nonce is. */
export const PageAgent = createContext<string | undefined>(undefined);
