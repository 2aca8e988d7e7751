/* The network in an application: prepare_network() once, then for each input write it, and run_network(). */
#ifndef RUN_H
#define RUN_H

/* Clocks, and the accelerator with the network in it. */
void prepare_network(void);

/* Computes the input that is in the data memories, and prints the result and its time on one line. */
void run_network(void);

#endif
