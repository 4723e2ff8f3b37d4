// Package conformance has only tests. They run the Go project's test programs as notebook
// cells, and load thousands of cells. README.md says how to run more than the sample.
package conformance
