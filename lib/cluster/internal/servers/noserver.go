package servers

import "fmt"

// A NoServerError is the error of a connection to an address where no server answers.
type NoServerError struct {
	URL    string
	Advice string // what to do instead of starting a server at URL, such as "leave out cluster.URL"
	Err    error
}

// Error says where no server answers, and what to do.
func (e *NoServerError) Error() string {
	return fmt.Sprintf("cluster: no NATS server answers at %s: start nats-server with -js there, or %s: %v", e.URL, e.Advice, e.Err)
}

// Unwrap returns Err.
func (e *NoServerError) Unwrap() error { return e.Err }
