package mp

import "encoding/binary"

// marker is the environment variable that makes a process a child: the number of
// the first of its files, and how many there are. The child removes it before it
// calls user code, so that other programs do not inherit it.
const marker = "PERIJOVE_MP_CHILD"

// Exit codes of a child that has no function's outcome to report.
const (
	exitBroken   = 120 // the connection is unusable
	exitOrphaned = 121 // the parent is gone
)

// taskLast marks a batch after which the child exits.
const taskLast byte = 1

// taskHead is how many bytes precede the arguments of a batch: the slot, the
// flags, the number of tasks, and some so that the arguments are aligned.
const taskHead = 16

func appendTaskHead(b []byte, slot uint32, flags byte, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, slot)
	b = append(b, flags, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, 0)
}

// window is how many batches a worker has at once: one runs while another
// waits, so that it need not wait for the parent.
const window = 2
