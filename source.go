package perijove

import "embed"

// Source holds the files from which the kernel builds a worker image: the packages of the
// worker process, and the library that notebooks import. The kernel writes them to its cache
// and builds them with the user's toolchain. So an installed kernel does not need a checkout
// of the repository.
//
//go:embed go.mod go.sum source.go doc.go
//go:embed kernel/internal/activeclock kernel/internal/celllabels kernel/internal/cellprocesses kernel/internal/cellruntime kernel/internal/control kernel/internal/definers kernel/internal/divert kernel/internal/embedfiles kernel/internal/goobj kernel/internal/goruntime kernel/internal/inheritance kernel/internal/link kernel/internal/memorylimit kernel/internal/moduledata kernel/internal/platform kernel/internal/plotfonts kernel/internal/preempt kernel/internal/program/mangle kernel/internal/racememory kernel/internal/standalone kernel/internal/standby kernel/internal/streams kernel/internal/symindex kernel/internal/symname kernel/internal/taskbars kernel/internal/typecache kernel/internal/worker
//go:embed all:internal all:lib
var Source embed.FS
