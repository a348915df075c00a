from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

MESSAGES = "$MQTT_msgs"
"""The stream in which the broker itself keeps QoS 1 messages, before it answers PUBACK."""
PREFIX = "$MQTT.msgs."
ACK_WAIT = 15.0
IN_FLIGHT = 4_000


async def ensure(js: JetStreamContext, durable: str, topic: str) -> JetStreamContext.PullSubscription:
    """A durable consumer of the topic `topic`/… (QoS 1); it exists before any device may connect.

    The broker keeps a message only while a consumer has not acknowledged it (interest retention), and answers PUBACK
    once it is in the stream: between a device's PUBACK and our commit nothing is in one process's memory only.
    """
    try:
        await js.stream_info(MESSAGES)
    except NotFoundError:
        # The broker makes this stream at the first MQTT connection and takes it as it finds it.
        await js.add_stream(
            StreamConfig(
                name=MESSAGES, subjects=[f"{PREFIX}>"], storage=StorageType.FILE, retention=RetentionPolicy.INTEREST
            )
        )
    wanted = ConsumerConfig(
        durable_name=durable, filter_subject=f"{PREFIX}{topic}.>", ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT,
        max_ack_pending=IN_FLIGHT,
    )  # fmt: skip
    try:
        await js.consumer_info(MESSAGES, durable)
    except NotFoundError:
        await js.add_consumer(MESSAGES, wanted)
    return await js.pull_subscribe_bind(durable, stream=MESSAGES)


def device_of(subject: str) -> str:
    """The device code in a subject such as `$MQTT.msgs.obs.door-7`."""
    return subject.removeprefix(PREFIX).partition(".")[2]
