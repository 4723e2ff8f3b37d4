//go:build !unix

package main

import "errors"

// usedProcessor returns an error: this system does not tell the processor time of ended
// children.
func usedProcessor() (seconds float64, err error) {
	return 0, errors.New("the processor time of ended children is not known on this system")
}
