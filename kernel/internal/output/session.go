package output

import "context"

// A Session is one notebook's life: its live Go program, execution counter and
// history. The server and the notebook runner drive it through this interface;
// session.Session is the real one.
//
// Execute calls are serialized by the session in order of arrival. All other
// methods may be called at any time, also while a cell runs.
type Session interface {
	// Execute runs one cell and returns after all of its output has been
	// handed to sink. Cancelling ctx interrupts the cell.
	Execute(ctx context.Context, req Request, sink Sink) Reply

	IsComplete(code string) Completeness
	// Complete and Inspect take a cursor as a byte offset into code.
	Complete(ctx context.Context, code string, cursor int) (Completion, error)
	Inspect(ctx context.Context, code string, cursor, detail int) (Inspection, error)
	// History returns the executed cells, oldest first.
	History() []HistoryEntry

	// Comm takes a message of the front end's half of a comm. An error means
	// that nobody is there to have it.
	Comm(Comm) error

	// Interrupt stops the running cell, if there is one, and keeps all state.
	Interrupt()
	// Close ends the worker and everything it started. A closed session
	// answers Execute with an error.
	Close() error
}
