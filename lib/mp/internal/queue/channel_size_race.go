//go:build race

package queue

// maxChannel is 0: the race detector reports a send concurrent with a close of the
// channel.
const maxChannel = 0
