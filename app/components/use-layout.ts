import { useEffect, useLayoutEffect } from "react";

/** Runs before the browser paints. On the server there is no painting, and React would warn of the attempt on each page. */
export const useLayout = typeof window === "undefined" ? useEffect : useLayoutEffect;
