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
	limitVariable = "PERIJOVE_MEMORY" // environment variable of the limit, in the syntax of %memory
	defaultLimit  = "80%"
)

// A MemoryLimit is how much memory a worker process and all processes that it started may use together. RLIMIT_DATA
// enforces the limit for the allocations of the worker process. A memoryWatch in the kernel enforces it for all these
// processes together.
type MemoryLimit struct {
	Bytes int64  // limit in bytes; 0 means no limit
	of    string // the memory of which Bytes is a percentage, as text; "" for a limit in bytes
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

// ParseMemoryLimit parses a limit of %memory or of the environment: a size, a percentage, or off. A percentage refers
// to the memory that the system allows according to the files in /proc and /sys. root contains these folders.
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

// InitialMemoryLimit returns the limit that an environment variable sets, or the default. If the value of the
// variable is invalid, it returns an error and the default limit.
func InitialMemoryLimit() (MemoryLimit, error) {
	root := os.DirFS("/")
	l, err := ParseMemoryLimit(cmp.Or(os.Getenv(limitVariable), defaultLimit), root)
	if err != nil {
		err = fmt.Errorf("the environment variable %s is invalid: %w", limitVariable, err)
		l, _ = ParseMemoryLimit(defaultLimit, root) // always well-formed
	}
	return l, err
}
