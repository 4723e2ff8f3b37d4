// Package protocol defines the messages between a parent and a child: frames over
// pipes, and the budgets of batches in a page of shared memory.
package protocol

import (
	"encoding/binary"
	"errors"
	"time"
)

// Marker is the environment variable that makes a process a child. Its value has the first of
// the file descriptors of the connection, and their number. The child removes the variable
// before it calls user code, so that programs that the child starts do not inherit it.
const Marker = "PERIJOVE_MP_CHILD"

// Exit codes of a child that ends without an outcome of its function.
const (
	ExitBroken   = 120 // the connection is unusable
	ExitOrphaned = 121 // the parent is gone
)

// TaskLast is the flag of a batch after which the child exits.
const TaskLast byte = 1

// TaskHead is how many bytes precede the arguments of a batch: the slot, the flags, the
// number of tasks, and padding that aligns the arguments.
const TaskHead = 16

func AppendTaskHead(b []byte, slot uint32, flags byte, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, slot)
	b = append(b, flags, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, 0)
}

// Window is how many batches a worker has at once. While one batch runs, another is ready, so
// that the worker need not wait for the parent.
const Window = 2

// MaxBatchBytes is the size in bytes at which the encoded arguments of a batch are
// sent, and its encoded results are reported.
const MaxBatchBytes = 1 << 20

// FlushDelay is how long finished tasks of a batch wait for the running task before
// they are reported without it.
const FlushDelay = 2 * time.Millisecond

// ErrForeignBytes is the Cause in the ExitError of a child that was killed because other code
// wrote to or read from the connection to it.
var ErrForeignBytes = errors.New("mp: code outside package mp wrote to or read from the connection between parent and child: " +
	"code must not use file descriptors that it did not open")
