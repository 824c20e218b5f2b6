// SPDX-License-Identifier: GPL-2.0
/*
 * The files of a VM that a libvirt elsewhere runs: volumes in a storage pool of its, as no file
 * here is there. They go up before the VM starts, and what serial lines have written comes back
 * when it has ended. Only the command's output comes at once, by a stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remote.h"
#include "util.h"

#define POOL		"default"

/* Seconds until what the VM's end has left in a stream is here. */
#define DRAIN_LIMIT	10

static virConnectPtr connection;
static virStoragePoolPtr pool;
static const char *prefix;
static virStreamPtr stream;
static pthread_t listener;
static int output = -1;

static char *volume_name(const char *name)
{
	return format("testvm-%s.%s", prefix, name);
}

static virStorageVolPtr find_volume(const char *name)
{
	char *full = volume_name(name);
	virStorageVolPtr volume = virStorageVolLookupByName(pool, full);

	free(full);
	return volume;
}

void remote_begin(virConnectPtr to, const char *run)
{
	connection = to;
	prefix = run;
	atexit(remote_end);
	pool = virStoragePoolLookupByName(connection, POOL);
	if (!pool)
		die("libvirt there has no storage pool \"" POOL "\": virsh pool-create-as "
		    POOL " dir --target /var/lib/libvirt/images");
}

static int send_some(virStreamPtr to, char *data, size_t size, void *opaque)
{
	(void)to;
	return read(*(int *)opaque, data, size);
}

static int receive_some(virStreamPtr from, const char *data, size_t size, void *opaque)
{
	(void)from;
	return write_all(*(int *)opaque, data, size) ? -1 : (int)size;
}

static void upload(virStorageVolPtr volume, int fd, unsigned long long size, const char *file)
{
	virStreamPtr to = virStreamNew(connection, 0);

	if (!to || virStorageVolUpload(volume, to, 0, size, 0) ||
	    virStreamSendAll(to, send_some, &fd) || virStreamFinish(to))
		die("cannot send %s: %s", file, virGetLastErrorMessage());
	virStreamFree(to);
}

char *remote_put(const char *name, const char *file)
{
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	char *full = volume_name(name), *xml, *path;
	struct stat st = { .st_size = 0 };
	virStorageVolPtr volume;

	if (file && (fd < 0 || fstat(fd, &st)))
		die("cannot read %s: %s", file, strerror(errno));
	xml = format("<volume><name>%s</name><capacity>%lld</capacity>"
		     "<target><format type='raw'/></target></volume>", full,
		     (long long)st.st_size);
	volume = virStorageVolCreateXML(pool, xml, 0);
	if (!volume)
		die("cannot make the volume %s: %s", full, virGetLastErrorMessage());
	if (file) {
		upload(volume, fd, st.st_size, file);
		close(fd);
	}
	path = virStorageVolGetPath(volume);
	if (!path)
		die("libvirt: %s", virGetLastErrorMessage());
	virStorageVolFree(volume);
	free(xml);
	free(full);
	return path;
}

static void *listen_on(void *opaque)
{
	(void)opaque;
	/* It ends with the VM, well or not; remote_get() gets what is missing. */
	virStreamRecvAll(stream, receive_some, &output);
	return NULL;
}

void remote_listen(virDomainPtr domain, const char *alias, const char *file)
{
	stream = virStreamNew(connection, 0);
	output = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (output < 0)
		die("cannot write %s: %s", file, strerror(errno));
	if (!stream || virDomainOpenConsole(domain, alias, stream, 0) ||
	    pthread_create(&listener, NULL, listen_on, NULL))
		die("cannot listen to the VM: %s", virGetLastErrorMessage());
}

void remote_drain(void)
{
	struct timespec until;

	if (output < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DRAIN_LIMIT;
	if (pthread_timedjoin_np(listener, NULL, &until)) {
		virStreamAbort(stream);
		pthread_join(listener, NULL);
	}
	virStreamFree(stream);
	close(output);
	output = -1;
}

/* virtlogd keeps the last two megabytes of a serial line only: a complaint may be lost. */
static void need_whole(const char *name)
{
	char *older = format("%s.0", name);
	virStorageVolPtr volume = find_volume(older);

	free(older);
	if (!volume)
		return;
	virStorageVolDelete(volume, 0);
	die("virtlogd there has cut %s: set stdio_handler = \"file\" in its qemu.conf", name);
}

void remote_get(const char *name, const char *file)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	virStreamPtr from = virStreamNew(connection, 0);
	virStorageVolInfo info;
	virStorageVolPtr volume;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("cannot write %s: %s", file, strerror(errno));
	if (virStoragePoolRefresh(pool, 0))
		die("the storage pool there is gone: %s", virGetLastErrorMessage());
	need_whole(name);
	volume = find_volume(name);
	if (!from || !volume || virStorageVolGetInfo(volume, &info))
		die("cannot get the VM's %s: %s", name, virGetLastErrorMessage());
	if (info.capacity > (unsigned long long)st.st_size &&
	    (virStorageVolDownload(volume, from, st.st_size, 0, 0) ||
	     virStreamRecvAll(from, receive_some, &fd) || virStreamFinish(from)))
		die("cannot get the VM's %s: %s", name, virGetLastErrorMessage());
	virStreamFree(from);
	virStorageVolFree(volume);
	close(fd);
}

void remote_end(void)
{
	char *begin = volume_name("");
	virStorageVolPtr *volumes;
	int count;

	if (!pool || virStoragePoolRefresh(pool, 0))
		return;
	count = virStoragePoolListAllVolumes(pool, &volumes, 0);
	for (int i = 0; i < count; i++) {
		if (!strncmp(virStorageVolGetName(volumes[i]), begin, strlen(begin)))
			virStorageVolDelete(volumes[i], 0);
		virStorageVolFree(volumes[i]);
	}
	if (count >= 0)
		free(volumes);
	free(begin);
	virStoragePoolFree(pool);
	pool = NULL;
}
