//go:build race

package queue

// maxChannel is 0: to the race detector a send beside a close of the channel is a race.
const maxChannel = 0
