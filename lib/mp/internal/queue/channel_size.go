//go:build !race

package queue

// maxChannel is the largest size for which a channel is faster than a ring.
const maxChannel = 3
