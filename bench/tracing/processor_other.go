//go:build !unix

package main

import "errors"

// usedProcessor returns an error: package syscall does not offer the processor time of
// ended children on this system.
func usedProcessor() (seconds float64, err error) {
	return 0, fmt.Errorf("cannot measure the processor time of ended child processes: Go's package syscall does not offer it on %s", runtime.GOOS)
}
