/** Stands where engine.io-client has its WebTransport, which we never ask for: a kilobyte that no browser needs to load (vite.config.ts). */
export class WT {}
