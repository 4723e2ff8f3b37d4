package control

import "github.com/perijove/perijove/lib/display/displayhost"

// A Reply ends a request: it carries the request's ID.
type Reply interface {
	Message
	RequestID() int
}

func (m LoadFailed) RequestID() int    { return m.ID }
func (m Done) RequestID() int          { return m.ID }
func (m SetupReply) RequestID() int    { return m.ID }
func (m ReloadReply) RequestID() int   { return m.ID }
func (m DroppedList) RequestID() int   { return m.ID }
func (m GoroutineList) RequestID() int { return m.ID }

// Messages that the worker process sends.
type (
	// Ready says that the worker process takes requests.
	Ready struct{}

	// Loaded says that the object of a Run is linked. The cell begins to run.
	Loaded struct {
		ID      int      `json:"id"`
		Reset   []string `json:"reset,omitempty"`   // variables whose values could not be kept
		Notices []string `json:"notices,omitempty"` // notices for the user
		// UsesOutputPipes reports that the worker process now uses the OutputPipes of the Run.
		UsesOutputPipes bool `json:"usesOutputPipes,omitempty"`
	}

	// LoadFailed says why the object of a Run could not be linked.
	LoadFailed struct {
		ID     int    `json:"id"`
		Reason string `json:"reason"`
		At     *Frame `json:"at,omitempty"`     // the place in the cell that could not be linked
		Import string `json:"import,omitempty"` // the imported package that needs the missing symbol
		// Untraced reports that the cell was not linked because it could not be recorded.
		Untraced bool `json:"untraced,omitempty"`
	}

	// Done reports that a cell has ended.
	Done struct {
		ID      int     `json:"id"`
		Outcome Outcome `json:"outcome"`
		// ProgramsHoldPipes and ChildrenHoldPipes report whether programs that cells started, or processes of package
		// mp, hold the present output pipes open.
		ProgramsHoldPipes bool `json:"programsHoldPipes,omitempty"`
		ChildrenHoldPipes bool `json:"childrenHoldPipes,omitempty"`
	}

	// SetupReply answers a Setup.
	SetupReply struct {
		ID    int    `json:"id"`
		Error string `json:"error,omitempty"`
	}

	// ReloadReply answers a Reload.
	ReloadReply struct {
		ID      int    `json:"id"`
		Renewed bool   `json:"renewed,omitempty"` // the packages have new types
		Error   string `json:"error,omitempty"`
	}

	// DroppedList answers a ListDropped with one line for each variable.
	DroppedList struct {
		ID    int      `json:"id"`
		Lines []string `json:"lines,omitempty"`
	}

	// GoroutineList answers a ListGoroutines. Count is the number of all goroutines of cells. The list may have
	// fewer.
	GoroutineList struct {
		ID         int         `json:"id"`
		Goroutines []Goroutine `json:"goroutines,omitempty"`
		Count      int         `json:"count,omitempty"`
		Error      string      `json:"error,omitempty"`
	}

	// Display shows something in the output of the execution ID, or of the running execution if ID is 0. The worker
	// process waits for the Ack.
	Display struct {
		ID      int                 `json:"id,omitempty"`
		Seq     int                 `json:"seq"`
		Message displayhost.Message `json:"message"`
	}

	// Result is a Display of the value of a cell's last expression. If the value is an error of a child process, its
	// text lists the calls in Calls.
	Result struct {
		Display
		Calls []Frame `json:"calls,omitempty"`
	}

	// Print has text that a goroutine of the earlier execution ID has printed.
	Print struct {
		ID    int    `json:"id"`
		FD    int    `json:"fd"` // 1 for standard output, 2 for standard error
		Bytes []byte `json:"bytes,omitempty"`
	}

	// Notice shows a line of text in the output of the execution ID, or of the running execution if ID is 0. The
	// worker process waits for the Ack.
	Notice struct {
		ID   int    `json:"id,omitempty"`
		Seq  int    `json:"seq"`
		Text string `json:"text"`
	}

	// InputRequest asks the user for a line.
	InputRequest struct {
		Seq      int    `json:"seq"`
		Prompt   string `json:"prompt,omitempty"`
		Password bool   `json:"password,omitempty"`
	}

	// GoroutinePanic reports a panic in a goroutine that is not the cell's own. The panic does not end the cell. ID
	// is the execution that started the goroutine, or 0 if it is not known.
	GoroutinePanic struct {
		ID      int     `json:"id,omitempty"`
		Outcome Outcome `json:"outcome"`
	}

	// PendingStops answers an Interrupt when no cell runs. It has the number of goroutines of interrupted cells that are
	// still blocked.
	PendingStops struct {
		Count int `json:"count"`
	}

	// Standby reports the process ID of the standby, a process that waits to become a child of a cell. PID is 0 if
	// there is none. The memory of the standby does not count as memory of a cell.
	Standby struct {
		PID int `json:"pid"`
	}
)

func (Ready) kind() string          { return "ready" }
func (Loaded) kind() string         { return "loaded" }
func (LoadFailed) kind() string     { return "load_failed" }
func (Done) kind() string           { return "done" }
func (SetupReply) kind() string     { return "setup_reply" }
func (ReloadReply) kind() string    { return "reload_reply" }
func (DroppedList) kind() string    { return "dropped_list" }
func (GoroutineList) kind() string  { return "goroutine_list" }
func (Display) kind() string        { return "display" }
func (Result) kind() string         { return "result" }
func (Print) kind() string          { return "print" }
func (Notice) kind() string         { return "notice" }
func (InputRequest) kind() string   { return "input_request" }
func (GoroutinePanic) kind() string { return "goroutine_panic" }
func (PendingStops) kind() string   { return "pendingStops" }
func (Standby) kind() string        { return "standby" }
