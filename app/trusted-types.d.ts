/** The part of Trusted Types that Charla uses; TypeScript's DOM library does not have it yet. */
interface TrustedTypePolicyLike {
	createHTML(html: string): { toString(): string };
}
interface Window {
	trustedTypes?: {
		defaultPolicy: TrustedTypePolicyLike | null;
		createPolicy(
			name: string,
			rules: {
				createHTML?: (html: string) => string;
				createScriptURL?: (url: string) => string;
				createScript?: (script: string) => string;
			},
		): TrustedTypePolicyLike;
	};
}
