package program

import failure "github.com/perijove/perijove/lib/mp/internal/failure"

// Executable returns an error: child processes inherit pipes, which os/exec does not
// support on Windows.
func Executable() (string, error) { return "", failure.ErrUnsupported }
