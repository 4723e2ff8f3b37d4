package mphost

import (
	"context"
	"os"
	"os/exec"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// Program returns the Host that mp.Init installs. Other Hosts may build on it.
func Program() Host { return programHost{} }

// IsProgram reports whether h is the Host of an ordinary program, whose code is all in
// its binary.
func IsProgram(h Host) bool {
	_, ok := h.(programHost)
	return ok
}

// A programHost is the Host of an ordinary program: parent and child run the same
// binary.
type programHost struct{}

func (programHost) FuncID(pc uintptr) (string, error)          { return program.FuncID(pc) }
func (programHost) FuncPC(id string) (uintptr, error)          { return program.FuncPC(id) }
func (programHost) Loaded() (_, _ Range)                       { return Range{}, Range{} }
func (programHost) Captures(val, _ uintptr) bool               { return !program.InImage(val) }
func (programHost) Reads(uintptr) (_, _ []string)              { return nil, nil }
func (programHost) Notice(text string)                         { os.Stderr.WriteString(text + "\n") }
func (programHost) Update(have int) (_ []byte, _ int, _ error) { return nil, have, nil }
func (programHost) Apply([]byte) error                         { return nil }
func (programHost) Start(cmd *exec.Cmd) (int, error)           { return 0, cmd.Start() }
func (programHost) Context() context.Context                   { return nil }
func (programHost) Message(*Peer, []byte)                      {}

func (programHost) Command() (*exec.Cmd, error) {
	path, err := program.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path)
	cmd.Args = os.Args
	return cmd, nil
}
