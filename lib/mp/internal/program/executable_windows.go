package program

import failure "github.com/perijove/perijove/lib/mp/internal/failure"

// Executable returns an error: child processes need inherited pipes, which
// os/exec does not offer on Windows.
func Executable() (string, error) { return "", failure.ErrUnsupported }
