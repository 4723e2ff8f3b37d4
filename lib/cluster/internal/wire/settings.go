package wire

import (
	"crypto/sha256"
	"math"
	"time"
)

// Settings are the options of a pool for the processes that run its tasks.
type Settings struct {
	Timeout       time.Duration // time limit of a task; 0 for no limit
	Grace         time.Duration
	TasksPerChild int      // number of tasks after which a child process is replaced; 0 for no limit
	Env           []string // environment variables of the child processes, as "NAME=value"
	First         *Call    // the call that each child process runs first, or nil
}

// A Call is a function with its argument.
type Call struct {
	FuncID, FuncName string
	Function         string            // for a worker of another build: the name under which it has the function
	Hash             [sha256.Size]byte // hash of that function's source; zero for a worker of the same build
	Arg, Result      string            // names of the types of the argument and the result
	Bytes            []byte            // the encoded argument
}

// maxEnv is the largest number of variables in Settings.
const maxEnv = 1 << 12

// Encode returns the message of s.
func (s *Settings) Encode() []byte {
	var w writer
	w.uint(uint64(s.Timeout))
	w.uint(uint64(s.Grace))
	w.int(s.TasksPerChild)
	w.int(len(s.Env))
	w.strings(s.Env...)
	w.bool(s.First != nil)
	if c := s.First; c != nil {
		w.strings(c.FuncID, c.FuncName, c.Function)
		w.bytes(c.Hash[:])
		w.strings(c.Arg, c.Result)
		w.bytes(c.Bytes)
	}
	return seal(kindSettings, w.b)
}

// DecodeSettings decodes the message of Settings.
func DecodeSettings(msg []byte) (*Settings, error) {
	r, err := open(kindSettings, msg)
	if err != nil {
		return nil, err
	}
	s := &Settings{Timeout: time.Duration(r.int(math.MaxInt64)), Grace: time.Duration(r.int(math.MaxInt64)), TasksPerChild: r.int(math.MaxInt64)}
	n := r.int(maxEnv)
	if n > r.fits(1) {
		r.fail()
		n = 0
	}
	for range n {
		s.Env = append(s.Env, r.string())
	}
	if r.bool() {
		c := &Call{FuncID: r.string(), FuncName: r.string(), Function: r.string(), Hash: r.hash()}
		c.Arg, c.Result, c.Bytes = r.string(), r.string(), r.bytes()
		s.First = c
	}
	if err := r.end("the options of a pool"); err != nil {
		return nil, err
	}
	return s, nil
}
