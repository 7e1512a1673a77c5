/**
 * Runs TypeScript sources directly: `node --import ./scripts/lib/typescript.mjs FILE.ts`. Each file is translated by itself
 * (esbuild) and keeps its own URL; an import of './x.js' finds x.ts or x.tsx where there is no x.js, as for tsc. Types are
 * checked elsewhere (npm run typecheck).
 */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';

process.setSourceMapsEnabled(true);

const sources = ['.ts', '.tsx'];

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.startsWith('file:')) {
      const url = new URL(specifier, context.parentURL);
      if (!existsSync(url)) {
        for (const extension of sources) {
          const candidate = new URL(url);
          candidate.pathname = url.pathname.slice(0, -'.js'.length) + extension;
          if (existsSync(candidate)) return next(candidate.href, context);
        }
      }
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!/^file:.*\.tsx?$/.test(url)) return next(url, context);
    const file = fileURLToPath(url);
    const { code } = transformSync(readFileSync(file, 'utf8'), {
      sourcefile: file,
      loader: file.endsWith('.tsx') ? 'tsx' : 'ts',
      format: 'esm',
      target: 'node24',
      sourcemap: 'inline',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      // esbuild does not look for a tsconfig here: what matters of it is said once more.
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
