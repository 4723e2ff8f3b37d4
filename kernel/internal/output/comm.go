package output

import "encoding/json"

// A Comm is a message of a comm. A comm is a channel between an object in the notebook's program and an object in the
// front end, such as a widget. Either side opens the channel.
type Comm struct {
	Kind     string // CommOpen, CommMsg or CommClose
	ID       string
	Target   string          // the kind of object to create; only in a CommOpen
	Data     json.RawMessage // a JSON object; nil for an empty object
	Metadata map[string]any  // metadata of the message
	Buffers  [][]byte        // binary data in addition to Data
}

// Kinds of Comm.
const (
	CommOpen  = "open"
	CommMsg   = "msg"
	CommClose = "close"
)
