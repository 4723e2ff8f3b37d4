//go:build !unix

package main

import "errors"

// usedProcessor returns an error: package syscall does not offer the processor time of
// ended children on this system.
func usedProcessor() (seconds float64, err error) {
	return 0, errors.New("the processor time of ended children is not known on this system")
}
