// Package faulttest has only tests. They run package cluster with three NATS servers and
// four machines with workers, each of them a process, and break one after the other while
// tasks run. They run on Linux. Each process has its own network namespace. Where namespaces are
// not possible, the processes use the loopback interface, and proxies cut its links.
//
// By default the test is small. The full test is:
//
//	go test ./lib/cluster/internal/faulttest -tasks 100000 -cut 10s -v
package faulttest
