package process

import (
	"io"
	"time"
)

// Options are the options for starting a child.
type Options struct {
	Grace          time.Duration // how long the child may take to end when it is told to
	Stdout, Stderr io.Writer     // if nil, the host's or this process's
	Env            []string      // variables added to its environment
	Workers        int           // number of workers of its pool; 0 if it is not in a pool
}
