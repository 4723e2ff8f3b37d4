package supervisor

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/perijove/perijove/kernel/internal/memory"
)

const (
	limitVariable = "PERIJOVE_MEMORY" // environment variable of the limit, as %memory takes it
	defaultLimit  = "80%"
)

// A MemoryLimit is how much memory a worker and all that it started may use
// together. Two things enforce it: RLIMIT_DATA in the worker, which no allocation passes, and
// the kernel's watch over the whole tree of processes.
type MemoryLimit struct {
	Bytes int64  // 0 for none
	of    string // what it is a share of, if it is one
}

func (l MemoryLimit) String() string {
	switch {
	case l.Bytes == 0:
		return "no limit"
	case l.of == "":
		return memory.Format(l.Bytes)
	}
	return memory.Format(l.Bytes) + " (" + l.of + ")"
}

// ParseMemoryLimit reads a limit as %memory or the environment has it: a size, a
// share of what root, a file system like /, allows, or off.
func ParseMemoryLimit(text string, root fs.FS) (MemoryLimit, error) {
	text = strings.TrimSpace(text)
	if text == "off" || text == "none" {
		return MemoryLimit{}, nil
	}
	allowed, whose := memory.Allowed(root)
	n, err := memory.ParseSize(text, allowed)
	if err != nil {
		return MemoryLimit{}, err
	}
	if !strings.HasSuffix(text, "%") {
		return MemoryLimit{Bytes: n}, nil
	}
	return MemoryLimit{n, fmt.Sprintf("%s of the %s that %s", text, memory.Format(allowed), whose)}, nil
}

// InitialMemoryLimit returns the limit that the environment sets, or the default,
// and what is wrong with the environment's.
func InitialMemoryLimit() (MemoryLimit, error) {
	root := os.DirFS("/")
	l, err := ParseMemoryLimit(cmp.Or(os.Getenv(limitVariable), defaultLimit), root)
	if err != nil {
		err = fmt.Errorf("%s: %w", limitVariable, err)
		l, _ = ParseMemoryLimit(defaultLimit, root) // always well-formed
	}
	return l, err
}
