package perijove

import "embed"

// Source holds what a worker image is built from: the packages that the worker
// consists of and the library that notebooks import. The kernel writes it to
// its cache and builds it with the user's own toolchain, so that what is
// installed works after the checkout is gone.
//
//go:embed go.mod go.sum source.go doc.go
//go:embed kernel/internal/cellruntime kernel/internal/control kernel/internal/divert kernel/internal/goobj kernel/internal/goruntime kernel/internal/link kernel/internal/moduledata kernel/internal/platform kernel/internal/standalone kernel/internal/stopwatch kernel/internal/symindex kernel/internal/symname kernel/internal/typecache kernel/internal/worker
//go:embed all:internal all:lib
var Source embed.FS
