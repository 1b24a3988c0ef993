print("carbontube")
