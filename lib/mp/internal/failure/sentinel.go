// Package failure holds the errors of the library.
package failure

import (
	"errors"
	"runtime"
)

var (
	// ErrNoEntry is the error of starting a child from a program that did not call mp.Init.
	ErrNoEntry = errors.New("mp: call mp.Init() first in main (in tests: in TestMain) to use mp.Processes; " +
		"a child would run the whole program again otherwise")
	// ErrUnsupported is the error of what this operating system does not offer.
	ErrUnsupported = errors.New("mp: not supported on " + runtime.GOOS)
)
