package output

import "context"

// A Session is the state of one notebook: its running Go program, execution count
// and history. Package session implements it.
//
// All methods can be called concurrently. The session runs the cells of concurrent
// calls of Execute one after another.
type Session interface {
	// Execute runs one cell. It returns after all output of the cell was passed to sink. Canceling ctx interrupts
	// the cell.
	Execute(ctx context.Context, req Request, sink Sink) Reply

	IsComplete(code string) Completeness
	// Complete and Inspect take a cursor as a byte offset into code.
	Complete(ctx context.Context, code string, cursor int) (Completion, error)
	Inspect(ctx context.Context, code string, cursor, detail int) (Inspection, error)
	// History returns the executed cells, oldest first.
	History() []HistoryEntry

	// Comm receives a message that the front end has sent to a comm. An error means that the message was not
	// delivered.
	Comm(Comm) error

	// Interrupt stops the running cell, if there is one, and keeps all state.
	Interrupt()
	// Close ends the worker process and the processes that it started. Execute of a closed session fails.
	Close() error
}
