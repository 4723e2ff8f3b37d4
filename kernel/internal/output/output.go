// Package output defines the output of an executed cell, and the interface of the
// session that executes cells. Package session implements it; the server and the
// notebook runner use it.
package output

import (
	"context"
)

// Names of the two output streams, as Jupyter spells them.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// A Bundle holds one thing to show in several forms, keyed by MIME type. A value is a string, which has text, or
// base64 for binary types. For JSON types it is any value that encoding/json can encode.
type Bundle map[string]any

// A Display is a rich output. If it has a DisplayID, another Display can change it later: one that has the same ID,
// and whose Update is true.
type Display struct {
	Data      Bundle
	Metadata  map[string]any
	DisplayID string
	Update    bool
}

// An Error is the failure of a cell in Jupyter's form: a name, a message, and the
// lines that a front end prints. Traceback is never nil.
type Error struct {
	Name      string
	Value     string
	Traceback []string
}

func (e *Error) Error() string { return e.Name + ": " + e.Value }

// A Sink receives the output of one cell, in order. It stays valid after the cell's reply, since goroutines and child
// processes that the cell started may print later. Its methods can be called concurrently. They block while the
// receiver of the output is slow, which slows down the cell.
type Sink interface {
	// Started reports the execution count when the cell begins to run.
	Started(count int)
	// Stream receives text for Stdout or Stderr, which is always valid UTF-8.
	Stream(name, text string)
	Display(Display)
	// Result receives the value of the cell's last expression.
	Result(data Bundle, metadata map[string]any)
	Error(*Error)
	// Clear removes the cell's output. If wait is true, it does so only when the next output arrives.
	Clear(wait bool)
	// Comm sends a message to the front end's side of a comm.
	Comm(Comm)
	// Input asks the user for a line. It returns an error if the front end does not allow input, or if ctx ends
	// first.
	Input(ctx context.Context, prompt string, password bool) (string, error)
}

// A ByteSink is a Sink that also takes text as bytes.
type ByteSink interface {
	Sink
	// StreamBytes does what Stream does, without a copy of the text. The sink does not keep the bytes.
	StreamBytes(name string, text []byte)
}

// StreamBytes passes text to s, as bytes if s takes them.
func StreamBytes(s Sink, name string, text []byte) {
	if b, ok := s.(ByteSink); ok {
		b.StreamBytes(name, text)
		return
	}
	s.Stream(name, string(text))
}

// A Request asks for the execution of one cell.
type Request struct {
	Code            string
	CellID          string // the front end's identifier; may be empty
	Strict          bool   // the cell fails if its value is a non-nil error
	Silent          bool   // no output, no count, no history
	StoreHistory    bool
	AllowStdin      bool
	UserExpressions map[string]string
	// HasNext reports whether another cell is queued behind this one. It can be called while the cell runs. HasNext
	// may be nil.
	HasNext func() bool
}

// Status of a finished cell.
const (
	OK      = "ok"
	Failed  = "error"
	Aborted = "aborted"
)

// A Reply ends a Request. All output of the cell precedes it.
type Reply struct {
	Status          string
	ExecutionCount  int
	Error           *Error                      // set when Status is Failed
	UserExpressions map[string]ExpressionResult // never nil
	Page            Bundle                      // text for the front end's pager, such as help on a name; may be nil
	NextInput       *NextInput                  // may be nil
}

// A NextInput is text that the front end puts into a new cell. If Replace is true, the text replaces the text of the
// executed cell instead.
type NextInput struct {
	Text    string
	Replace bool
}

// An ExpressionResult is the value of one of the request's user expressions, or its error.
type ExpressionResult struct {
	Data     Bundle
	Metadata map[string]any
	Error    *Error
}

// Completeness says whether code is complete, for consoles.
type Completeness struct {
	Status string // "complete", "incomplete", "invalid" or "unknown"
	Indent string // indentation of the next line if Status is "incomplete"
}

// A Completion lists the possible texts at a cursor. Offsets are in bytes.
type Completion struct {
	Matches    []Match
	Start, End int // the range that a match replaces
}

// A Match is one candidate of a Completion.
type Match struct {
	Text      string
	Type      string // "function", "variable", "type", "constant", "module", "keyword", "field"
	Signature string
}

// An Inspection describes the name at a cursor.
type Inspection struct {
	Found bool
	Data  Bundle
}

// A HistoryEntry is one executed cell.
type HistoryEntry struct {
	Session int
	Line    int // execution count of the cell
	Input   string
	Output  string // the text form of the cell's result, if it had one
}
