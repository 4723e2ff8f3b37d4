package process

import (
	"io"
	"time"
)

// Options are the options for starting a child.
type Options struct {
	Grace          time.Duration // how long the child may take to end when it is told to end
	Stdout, Stderr io.Writer     // nil for the streams of the host or of this process
	Env            []string      // variables added to its environment
	Workers        int           // number of workers of its pool; 0 if it is not in a pool
}
