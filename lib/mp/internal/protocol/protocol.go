// Package protocol is what a parent and a child send each other: frames over pipes, and
// the budgets of batches in a page that both share.
package protocol

import (
	"encoding/binary"
	"errors"
	"time"
)

// Marker is the environment variable that makes a process a child: the number of
// the first of its files, and how many there are. The child removes it before it
// calls user code, so that other programs do not inherit it.
const Marker = "PERIJOVE_MP_CHILD"

// Exit codes of a child that has no function's outcome to report.
const (
	ExitBroken   = 120 // the connection is unusable
	ExitOrphaned = 121 // the parent is gone
)

// TaskLast marks a batch after which the child exits.
const TaskLast byte = 1

// TaskHead is how many bytes precede the arguments of a batch: the slot, the
// flags, the number of tasks, and some so that the arguments are aligned.
const TaskHead = 16

func AppendTaskHead(b []byte, slot uint32, flags byte, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, slot)
	b = append(b, flags, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, 0)
}

// Window is how many batches a worker has at once: one runs while another
// waits, so that it need not wait for the parent.
const Window = 2

// MaxBatchBytes bounds the encoded arguments, and the unreported results, of a batch.
const MaxBatchBytes = 1 << 20

// FlushDelay is how long finished tasks of a batch wait for the one that runs until
// they are reported without it.
const FlushDelay = 2 * time.Millisecond

// ErrForeignBytes is the cause of the end of a child whose messages are not its own.
var ErrForeignBytes = errors.New("mp: something other than this package wrote to or read from the file descriptors " +
	"of its connection to its parent, which are close-on-exec and not for others")
