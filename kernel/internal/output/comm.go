package output

import "encoding/json"

// A Comm is a message of a comm: a channel between an object in the notebook's
// program and one in the front end, such as a widget. Either side opens it.
type Comm struct {
	Kind     string // CommOpen, CommMsg or CommClose
	ID       string
	Target   string          // the kind of object to create; only in a CommOpen
	Data     json.RawMessage // a JSON object; nil for an empty one
	Metadata map[string]any  // metadata of the message
	Buffers  [][]byte        // binary data beside Data
}

// Kinds of Comm.
const (
	CommOpen  = "open"
	CommMsg   = "msg"
	CommClose = "close"
)
