# The types of Node lie beside the compiler.
tsc=$(readlink -f "$(command -v tsc)")
types=${tsc%/typescript/bin/tsc}/@types
exec tsc --strict --target es2022 --module nodenext --moduleResolution nodenext --lib es2022,dom,dom.iterable --skipLibCheck \
  --typeRoots "$types" --types node --rootDir . --outDir .out client/*.ts tests/*.ts
