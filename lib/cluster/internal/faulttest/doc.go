// Package faulttest has only tests. They run package cluster with processes that stand for
// three NATS servers and four machines with workers, and break one process after the other
// while tasks run. The tests need Linux. Each process has its own network namespace. Where
// namespaces are not possible, the processes use the loopback interface, and proxies cut the
// links between them.
//
// By default the test is small. The full test is:
//
//	go test ./lib/cluster/internal/faulttest -tasks 100000 -cut 10s -v
package faulttest
