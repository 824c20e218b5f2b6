// SPDX-License-Identifier: GPL-2.0
/*
 * rdma_rxe, RDMA in software, with on-demand paging: a slot is a memory region whose pages
 * are looked up when the network reaches them. An accessor is two queue pairs that are
 * connected to each other through one device: the one sends RDMA READ and WRITE requests
 * from a pinned buffer, the other one serves them from the slots.
 *
 * A region's remote addresses are the process's: the adapter adds what lies between them and
 * the gpas.
 */
#define RDMA_STATIC_PROVIDERS rxe
#include <arpa/inet.h>
#include <errno.h>
#include <infiniband/verbs.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <pthread.h>
#include <rdma/rdma_netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "subject.h"

#define CARD		"dummy0"
#define CARD_ADDRESS	"10.77.0.1"
/* One packet holds a page and its headers. */
#define CARD_MTU	5000
#define LINK		"judge_rxe"

#define PORT		1
#define GIDS		16
#define SLOTS		8
#define BUFFER		(64ul << 10)
/* A queue pair may still be falling into its error state while it is reset. */
#define RESETS		20
#define RESET_PAUSE_US	1000

/**
 * struct rxe - the instance
 * @context: the device
 * @domain: of all that follows
 * @gid: the device's address
 * @gid_index: its place in the device's table
 * @lock: held for writing while slots change: then no transfer is under way
 * @slots: a @region of NULL: no slot
 */
struct rxe {
	struct ibv_context *context;
	struct ibv_pd *domain;
	union ibv_gid gid;
	int gid_index;
	pthread_rwlock_t lock;
	struct rxe_slot {
		uint64_t gpa;
		char *hva;
		size_t length;
		bool readonly;
		struct ibv_mr *region;
	} slots[SLOTS];
};

/**
 * struct rxe_pair - an accessor
 * @rxe: the instance
 * @queue: takes what @requester has done
 * @requester: asks
 * @responder: answers
 * @buffer: BUFFER bytes
 * @local: makes @buffer known to the device
 */
struct rxe_pair {
	struct rxe *rxe;
	struct ibv_cq *queue;
	struct ibv_qp *requester;
	struct ibv_qp *responder;
	void *buffer;
	struct ibv_mr *local;
};

/* --- The machine: a network card that leads nowhere, and rxe upon it ------------------ */

static int set_up_card(void)
{
	struct ifreq request = { .ifr_name = CARD };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	request.ifr_mtu = CARD_MTU;
	ret = ioctl(fd, SIOCSIFMTU, &request);
	memset(&request.ifr_ifru, 0, sizeof(request.ifr_ifru));
	address->sin_family = AF_INET;
	inet_pton(AF_INET, CARD_ADDRESS, &address->sin_addr);
	ret = ret ?: ioctl(fd, SIOCSIFADDR, &request);
	ret = ret ?: ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	ret = ret ?: ioctl(fd, SIOCSIFFLAGS, &request);
	ret = ret ? -errno : 0;
	close(fd);
	return ret;
}

static size_t add_attribute(char *at, int type, const char *text)
{
	struct nlattr *attribute = (struct nlattr *)at;

	attribute->nla_type = (uint16_t)type;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1);
	strcpy(at + NLA_HDRLEN, text);
	return NLA_ALIGN(attribute->nla_len);
}

/* What "rdma link add LINK type rxe netdev CARD" does. */
static int add_link(void)
{
	struct {
		struct nlmsghdr header;
		char attributes[128];
	} request = { 0 };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA), ret;
	char *at = request.attributes;

	if (fd < 0)
		return -errno;
	at += add_attribute(at, RDMA_NLDEV_ATTR_DEV_NAME, LINK);
	at += add_attribute(at, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
	at += add_attribute(at, RDMA_NLDEV_ATTR_NDEV_NAME, CARD);
	request.header.nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK);
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request.header.nlmsg_len = (uint32_t)(at - (char *)&request);
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		ret = -errno;
	else
		ret = answer.error.error;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

static struct ibv_context *open_device(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (int i = 0; list && list[i]; i++)
		if (!strcmp(ibv_get_device_name(list[i]), LINK))
			context = ibv_open_device(list[i]);
	if (list)
		ibv_free_device_list(list);
	return context;
}

/* The device's address for IPv4, which it learns of some time after its card has it. */
static int find_gid(struct rxe *rxe)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	for (int attempt = 0; attempt < 100; attempt++) {
		for (int i = 0; i < GIDS; i++) {
			rxe->gid_index = i;
			if (!ibv_query_gid(rxe->context, PORT, i, &rxe->gid) &&
			    !memcmp(rxe->gid.raw, mapped, sizeof(mapped)))
				return 0;
		}
		usleep(50000);
	}
	return -EADDRNOTAVAIL;
}

static int rxe_probe(char *why, size_t size)
{
	struct ibv_device_attr_ex attributes = { 0 };
	struct ibv_context *context;
	bool pages;
	int ret;

	ret = set_up_card();
	if (ret) {
		snprintf(why, size, "no network card " CARD " (module dummy): %s", strerror(-ret));
		return ret;
	}
	ret = add_link();
	if (ret) {
		snprintf(why, size, "no RDMA on " CARD " (module rdma_rxe): %s", strerror(-ret));
		return ret;
	}
	context = open_device();
	if (!context) {
		snprintf(why, size, "the device " LINK " cannot be opened (module ib_uverbs)");
		return -ENODEV;
	}
	pages = !ibv_query_device_ex(context, NULL, &attributes) &&
		attributes.odp_caps.general_caps & IBV_ODP_SUPPORT &&
		attributes.odp_caps.per_transport_caps.rc_odp_caps & IBV_ODP_SUPPORT_READ;
	ibv_close_device(context);
	if (pages)
		return 0;
	snprintf(why, size, "this rxe has no on-demand paging (Linux 6.15 has)");
	return -EOPNOTSUPP;
}

/* --- The instance, and its slots ------------------------------------------------------ */

static void rxe_destroy(void *subject)
{
	struct rxe *rxe = subject;

	for (int i = 0; i < SLOTS; i++)
		if (rxe->slots[i].region)
			ibv_dereg_mr(rxe->slots[i].region);
	if (rxe->domain)
		ibv_dealloc_pd(rxe->domain);
	ibv_close_device(rxe->context);
	pthread_rwlock_destroy(&rxe->lock);
	free(rxe);
}

static int rxe_create(void **subject)
{
	struct rxe *rxe = calloc(1, sizeof(*rxe));
	int ret;

	if (!rxe)
		return -ENOMEM;
	pthread_rwlock_init(&rxe->lock, NULL);
	rxe->context = open_device();
	if (!rxe->context) {
		free(rxe);
		return -ENODEV;
	}
	ret = find_gid(rxe);
	rxe->domain = ibv_alloc_pd(rxe->context);
	if (!rxe->domain)
		ret = -ENOMEM;
	if (ret) {
		rxe_destroy(rxe);
		return ret;
	}
	*subject = rxe;
	return 0;
}

/* Called with the lock held for writing. */
static int drop_slot(struct rxe_slot *slot)
{
	int ret = slot->region ? ibv_dereg_mr(slot->region) : 0;

	if (!ret)
		slot->region = NULL;
	return -ret;
}

static int rxe_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			void *hva, size_t length)
{
	int access = IBV_ACCESS_ON_DEMAND | IBV_ACCESS_REMOTE_READ;
	bool readonly = flags & SLOT_READONLY;
	struct rxe *rxe = subject;
	struct rxe_slot *slot;
	int ret;

	if (id >= SLOTS || flags & SLOT_LOG_DIRTY)
		return -EINVAL;
	if (!readonly)
		access |= IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE;
	slot = &rxe->slots[id];
	pthread_rwlock_wrlock(&rxe->lock);
	ret = drop_slot(slot);
	if (!ret) {
		slot->region = ibv_reg_mr(rxe->domain, hva, length, access);
		slot->gpa = gpa;
		slot->hva = hva;
		slot->length = length;
		slot->readonly = readonly;
		if (!slot->region)
			ret = -errno;
	}
	pthread_rwlock_unlock(&rxe->lock);
	return ret;
}

static int rxe_slot_delete(void *subject, unsigned int id)
{
	struct rxe *rxe = subject;
	int ret;

	if (id >= SLOTS)
		return -EINVAL;
	pthread_rwlock_wrlock(&rxe->lock);
	ret = drop_slot(&rxe->slots[id]);
	pthread_rwlock_unlock(&rxe->lock);
	return ret;
}

/* Shortens @length to what the slot has. Called with the lock held. */
static const struct rxe_slot *find_slot(const struct rxe *rxe, uint64_t gpa, size_t *length)
{
	for (const struct rxe_slot *slot = rxe->slots; slot < rxe->slots + SLOTS; slot++) {
		if (!slot->region || gpa < slot->gpa || gpa - slot->gpa >= slot->length)
			continue;
		if (*length > slot->length - (gpa - slot->gpa))
			*length = slot->length - (gpa - slot->gpa);
		return slot;
	}
	return NULL;
}

/* --- Accessors ------------------------------------------------------------------------ */

static int to_reset(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE);
}

static int to_init(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE,
	};

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
			     IBV_QP_ACCESS_FLAGS);
}

static int to_receive(const struct rxe *rxe, struct ibv_qp *qp, const struct ibv_qp *peer)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = peer->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 1,
		.ah_attr = {
			.is_global = 1,
			.port_num = PORT,
			.grh = {
				.dgid = rxe->gid,
				.sgid_index = (uint8_t)rxe->gid_index,
				.hop_limit = 1,
			},
		},
	};

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
			     IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
			     IBV_QP_MIN_RNR_TIMER);
}

/* The time-out of 4.3 s is for hosts that are busy. */
static int to_send(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 20,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
			     IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

static int connect_once(struct rxe_pair *pair)
{
	struct ibv_qp *one = pair->requester, *other = pair->responder;
	struct ibv_wc wc;
	int ret;

	while (ibv_poll_cq(pair->queue, 1, &wc) > 0)
		;
	ret = to_reset(one) ?: to_reset(other);
	ret = ret ?: to_init(one) ?: to_init(other);
	ret = ret ?: to_receive(pair->rxe, one, other) ?: to_receive(pair->rxe, other, one);
	return ret ?: to_send(one) ?: to_send(other);
}

/* At first, and after each error, for a queue pair does nothing more then. */
static int connect_pair(struct rxe_pair *pair)
{
	int ret = EIO;

	for (int i = 0; ret && i < RESETS; i++) {
		if (i)
			usleep(RESET_PAUSE_US);
		ret = connect_once(pair);
	}
	return -ret;
}

static void rxe_accessor_close(void *accessor)
{
	struct rxe_pair *pair = accessor;

	if (pair->requester)
		ibv_destroy_qp(pair->requester);
	if (pair->responder)
		ibv_destroy_qp(pair->responder);
	if (pair->queue)
		ibv_destroy_cq(pair->queue);
	if (pair->local)
		ibv_dereg_mr(pair->local);
	if (pair->buffer)
		munmap(pair->buffer, BUFFER);
	free(pair);
}

/* A child must not take the buffer's pages, which the device has pinned. */
static int make_buffer(struct rxe_pair *pair)
{
	void *buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);

	if (buffer == MAP_FAILED)
		return -errno;
	pair->buffer = buffer;
	if (madvise(buffer, BUFFER, MADV_DONTFORK))
		return -errno;
	pair->local = ibv_reg_mr(pair->rxe->domain, buffer, BUFFER, IBV_ACCESS_LOCAL_WRITE);
	return pair->local ? 0 : -errno;
}

static int rxe_accessor_open(void *subject, void **accessor)
{
	struct rxe_pair *pair = calloc(1, sizeof(*pair));
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 4, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	int ret;

	if (!pair)
		return -ENOMEM;
	pair->rxe = subject;
	ret = make_buffer(pair);
	pair->queue = ibv_create_cq(pair->rxe->context, 16, NULL, NULL, 0);
	init.send_cq = pair->queue;
	init.recv_cq = pair->queue;
	if (!ret && pair->queue) {
		pair->requester = ibv_create_qp(pair->rxe->domain, &init);
		pair->responder = ibv_create_qp(pair->rxe->domain, &init);
	}
	if (!ret && (!pair->requester || !pair->responder))
		ret = -ENOMEM;
	ret = ret ?: connect_pair(pair);
	if (ret) {
		rxe_accessor_close(pair);
		return ret;
	}
	*accessor = pair;
	return 0;
}

/*
 * The device tells neither what is not there from what may not be written, nor either from a
 * region without the right. If the requester was flushed, the responder fell first: again.
 */
static ssize_t error_of(struct rxe_pair *pair, int status)
{
	int ret = connect_pair(pair);

	if (ret)
		return ret == -EAGAIN ? -EIO : ret;
	switch (status) {
	case IBV_WC_REM_ACCESS_ERR:
		return -EFAULT;
	case IBV_WC_WR_FLUSH_ERR:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

static ssize_t request(struct rxe_pair *pair, enum ibv_wr_opcode opcode,
		       const struct rxe_slot *slot, uint64_t gpa, size_t length)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)pair->buffer,
		.length = (uint32_t)length,
		.lkey = pair->local->lkey,
	};
	struct ibv_send_wr work = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = {
			.remote_addr = (uintptr_t)slot->hva + (gpa - slot->gpa),
			.rkey = slot->region->rkey,
		},
	};
	struct ibv_send_wr *bad;
	struct ibv_wc wc;
	int count;

	if (ibv_post_send(pair->requester, &work, &bad))
		return error_of(pair, IBV_WC_WR_FLUSH_ERR);
	while (!(count = ibv_poll_cq(pair->queue, 1, &wc)))
		sched_yield();
	if (count < 0)
		return -EIO;
	return wc.status == IBV_WC_SUCCESS ? (ssize_t)length : error_of(pair, (int)wc.status);
}

static ssize_t rxe_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	struct rxe_pair *pair = accessor;
	const struct rxe_slot *slot;
	ssize_t done = -ENXIO;

	if (length > BUFFER)
		length = BUFFER;
	pthread_rwlock_rdlock(&pair->rxe->lock);
	slot = find_slot(pair->rxe, gpa, &length);
	if (slot)
		done = request(pair, IBV_WR_RDMA_READ, slot, gpa, length);
	pthread_rwlock_unlock(&pair->rxe->lock);
	if (done > 0)
		memcpy(buffer, pair->buffer, (size_t)done);
	return done;
}

static ssize_t rxe_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	struct rxe_pair *pair = accessor;
	const struct rxe_slot *slot;
	ssize_t done = -ENXIO;

	if (length > BUFFER)
		length = BUFFER;
	memcpy(pair->buffer, buffer, length);
	pthread_rwlock_rdlock(&pair->rxe->lock);
	slot = find_slot(pair->rxe, gpa, &length);
	if (slot)
		done = request(pair, IBV_WR_RDMA_WRITE, slot, gpa, length);
	/* What the device may not do in a region, it may do nowhere in it. */
	if (slot && slot->readonly && done == -EFAULT)
		done = -EACCES;
	pthread_rwlock_unlock(&pair->rxe->lock);
	return done;
}

/*
 * Its transfers of less than a page are wrong, which is a bug, no limit. It can prefault, but
 * libibverbs of Debian 12 does not know of that.
 */
SUBJECT(rxe) = {
	.name = "rxe",
	.summary = "rdma_rxe with on-demand paging, RDMA through a network card that leads nowhere",
	.limits = SUBJECT_NO_EACCES | SUBJECT_NO_USERFAULT | SUBJECT_NO_CHILD,
	.most = BUFFER,
	.probe = rxe_probe,
	.create = rxe_create,
	.destroy = rxe_destroy,
	.slot_set = rxe_slot_set,
	.slot_delete = rxe_slot_delete,
	.accessor_open = rxe_accessor_open,
	.accessor_close = rxe_accessor_close,
	.read = rxe_read,
	.write = rxe_write,
};
