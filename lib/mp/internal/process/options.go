package process

import (
	"io"
	"time"
)

// An Options is how a child is started.
type Options struct {
	Grace          time.Duration // how long it may take to end when it is told to
	Stdout, Stderr io.Writer     // nil: the host's, or this process's
	Env            []string      // added to its environment
	Workers        int           // of the pool that it works for; 0 if it does not
}
